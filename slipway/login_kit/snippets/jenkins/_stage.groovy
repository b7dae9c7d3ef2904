{% if push %}        stage('Build and push') {
            steps {
                sh 'docker build --tag "$IMAGE:$GIT_COMMIT" .'
                sh 'docker push "$IMAGE:$GIT_COMMIT"'
            }
        }
{%- else %}        stage('Pull') {
            steps {
                sh 'docker pull "$IMAGE:latest"'
            }
        }
{%- endif %}
